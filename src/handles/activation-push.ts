import type { HandleSource } from '../model/parts.ts';

/** `activation:push`: what browsers are to do, cookies to set and URLs to call. Documented. */
export const activationPush: HandleSource = {
  type: 'activation:push',
  service: 'audiences',
  wanted: (x) => x.personalization?.some(({ decision }) => decision.pushes.length > 0) === true,
  produce(x) {
    const { pushes } = x.datastream.decisions!;
    return x
      .personalization!.filter(({ decision }) => decision.pushes.length > 0)
      .map(({ decision, eventIndex }) => ({
        type: 'activation:push',
        payload: pushes.filter(({ id }) => decision.pushes.includes(id)).map(({ payload }) => payload),
        eventIndex,
      }));
  },
};
