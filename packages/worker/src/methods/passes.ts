/** Passes over the data that a method has made, kept beside its own state where a job bounds them: so every worker knows them, also one that came late. */
export const passesState = { name: 'passes', shape: [], initial: 0 } as const;
