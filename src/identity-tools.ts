import { join } from 'node:path';
import type { ServerOptions } from './config/options.ts';
import { isKeyOfBefore, secretKeys } from './config/secret-key.ts';
import { CookieSeal } from './stages/cookie-seal.ts';
import { FpidSeeds } from './stages/fpid.ts';
import type { IdentityTools } from './stages/identify.ts';
import type { Counters } from './telemetry/counters.ts';
import type { Log } from './telemetry/log.ts';

/** The key that signs, and the one before it. */
const COOKIE_KEYS_MAX = 2;

/**
 * What the stages need to know visitors by, with the keys of this installation. To be called under the lock of the data folder.
 * `onOtherKey`: told where FPIDs derive other ECIDs than they did in this data folder before.
 */
export async function identityTools(
  keysFolder: string,
  { identity, thirdParty }: ServerOptions,
  counters: Counters,
  log: Log,
  onOtherKey: (message: string) => void,
): Promise<IdentityTools> {
  const keys = (variable: string, file: string | null, name: string, countMax: number): Promise<readonly Buffer[]> =>
    secretKeys({ variable, file, ownFile: join(keysFolder, name) }, process.env, countMax);
  const [fpidKey] = await keys('WEIR_FPID_KEY', identity.fpidKeyFile, 'fpid.key', 1);
  const idFile = join(keysFolder, 'fpid.id');
  if (!(await isKeyOfBefore(idFile, fpidKey!))) {
    onOtherKey(
      `The key by which ECIDs are derived from FPIDs is not the one of before: devices without an identity cookie will be new visitors. Give the key of before in WEIR_FPID_KEY or identity.fpidKeyFile; if another one is meant, remove ${idFile}.`,
    );
  }
  const { cookieKeysFile, requireSigned } = identity;
  const cookieKeys = await keys('WEIR_COOKIE_KEYS', cookieKeysFile, 'identity-cookie.keys', COOKIE_KEYS_MAX);
  return {
    fpids: new FpidSeeds(fpidKey!),
    seal: new CookieSeal(cookieKeys),
    requireSigned,
    counts: counters.identity,
    thirdParty: { hosts: new Set(thirdParty.hosts), cookie: thirdParty.cookie },
    reportQuarantine: (what) =>
      log.warn(
        { what: 'identity', ...what },
        'an id met too many devices in a day: it is quarantined, and links nothing',
      ),
  };
}
