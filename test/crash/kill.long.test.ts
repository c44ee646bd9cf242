// The same test with many more kills: 3/N bounds the rate of failures at 95 %, so 300 kills say "under 1 %".
process.env['WEIR_KILLS'] ??= '300';
await import('./kill.test.ts');
