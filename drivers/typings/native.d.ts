/** How a module names its function in C; the SDK's own typings have it, the published ones do not. */
declare function native(name: string): (...args: unknown[]) => unknown;
