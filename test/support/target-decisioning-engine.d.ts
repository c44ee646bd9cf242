/** What the tests use of Adobe Target's on-device engine, which has no types of its own for it. */
declare module '@adobe/target-decisioning-engine' {
  interface Offers {
    readonly execute: {
      readonly mboxes: readonly {
        readonly options?: readonly { readonly content: { readonly experience: number } }[];
      }[];
    };
  }
  interface Engine {
    getOffers(options: { readonly request: unknown }): Promise<Offers>;
  }
  export default function TargetDecisioningEngine(config: unknown): Promise<Engine>;
}
