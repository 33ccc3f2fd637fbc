export function removeStaleOutput(folder: string, started: number): string[]
