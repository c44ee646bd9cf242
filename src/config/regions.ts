import type { RegionTable } from '../model/datastream.ts';
import { DEFAULT_OWN_HINT, DEFAULT_REGIONS, type Region } from '../model/region.ts';
import type { Finding } from './finding.ts';
import type { WeirFile } from './options.ts';
import type { Source } from './source.ts';

export interface Regions {
  readonly regions: RegionTable;
  readonly ownRegion: Region;
}

/** The table of regions, or what is wrong with it. Hints and Target ids lead from paths to regions, so each stands once. */
export function regionsOf(file: WeirFile, source: Source): Regions | Finding[] {
  const list: readonly Region[] = file.regions ?? DEFAULT_REGIONS;
  const byHint = new Map<string, Region>();
  const byTargetId = new Map<number, Region>();
  const findings: Finding[] = [];
  list.forEach((region, index) => {
    const twice = (key: 'hint' | 'targetId'): void => {
      const message = `'regions[${index}].${key}' is ${region[key]}, as in a region before it. Paths lead to one region: give it another one.`;
      findings.push(source.error(['regions', index, key], message));
    };
    if (byHint.has(region.hint)) twice('hint');
    else byHint.set(region.hint, region);
    if (byTargetId.has(region.targetId)) twice('targetId');
    else byTargetId.set(region.targetId, region);
  });
  const hint = file.region ?? DEFAULT_OWN_HINT;
  const ownRegion = byHint.get(hint);
  if (ownRegion === undefined) {
    const known = [...byHint.keys()].join(', ');
    const message =
      file.region === undefined
        ? `'regions' has no ${hint}, which is the server's own region unless 'region' names another. Add it, or set 'region' to one of: ${known}.`
        : `'region' is ${hint}, which is not in the table of regions. It takes one of: ${known}.`;
    findings.push(source.error([file.region === undefined ? 'regions' : 'region'], message));
  }
  return ownRegion === undefined || findings.length > 0 ? findings : { regions: { byHint, byTargetId }, ownRegion };
}
