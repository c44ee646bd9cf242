export function plannedRecord(seed: number, offset: number, persons: number): unknown;
