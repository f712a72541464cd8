export function handOver(node: string, program: string, args: string[]): void
export function endWithParent(): void
