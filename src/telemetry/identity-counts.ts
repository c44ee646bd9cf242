/** What was found of identities since the start. The first three count identity cookies, where somebody looked. */
export class IdentityCounts {
  /** Renewed after a day, and signed by this installation. */
  verified = 0;
  /** Renewed after a day, or refused where signatures are required: not signed by a key that is believed. */
  unverified = 0;
  /** Requests without a cookie of the datastream's org, but with one of another: is the client configured with the wrong org? */
  foreign = 0;
  /** Ids that met too many devices in a day. */
  quarantined = 0;
}
