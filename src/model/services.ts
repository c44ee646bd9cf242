/**
 * The services of a datastream. One that is off does not run, and the handle types it makes are absent from the answer.
 * `override`: the path in `meta.configOverrides` whose `enabled: false` switches the service off for one request
 * (documented keys; a parent's `enabled: false` covers its children). `inThisVersion: false`: the name is known and may
 * be configured, but nothing runs yet; Weir says so when the datastream enables it.
 */
export interface ServiceSpec {
  readonly handles: readonly string[];
  readonly override: readonly string[] | null;
  readonly inThisVersion: boolean;
  readonly enabledByDefault: boolean;
}

const platform = 'com_adobe_experience_platform';

export const SERVICES = {
  decisions: {
    handles: ['personalization:decisions'],
    override: ['com_adobe_target'],
    inThisVersion: true,
    enabledByDefault: true,
  },
  offers: {
    handles: ['personalization:decisions'],
    override: [platform, 'com_adobe_edge_ode'],
    inThisVersion: true,
    enabledByDefault: true,
  },
  messages: {
    handles: ['personalization:decisions'],
    override: [platform, 'com_adobe_edge_ajo'],
    inThisVersion: true,
    enabledByDefault: true,
  },
  profiles: {
    handles: [],
    override: [platform, 'com_adobe_edge_segmentation'],
    inThisVersion: false,
    enabledByDefault: false,
  },
  activation: {
    handles: ['activation:pull'],
    override: [platform, 'com_adobe_edge_destinations'],
    inThisVersion: true,
    enabledByDefault: true,
  },
  audiences: {
    handles: ['activation:push'],
    override: ['com_adobe_audience_manager'],
    inThisVersion: true,
    enabledByDefault: true,
  },
  identitySync: {
    handles: ['identity:exchange'],
    override: ['com_adobe_identity'],
    inThisVersion: false,
    enabledByDefault: false,
  },
  forwarding: { handles: [], override: ['com_adobe_launch_ssf'], inThisVersion: false, enabledByDefault: false },
  media: { handles: ['media-analytics:new-session'], override: null, inThisVersion: false, enabledByDefault: false },
} as const satisfies Record<string, ServiceSpec>;

export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];
