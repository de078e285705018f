/** silicon.c compiled into a folder of its own; undefined where there is no C compiler. */
export function compileSilicon(): { program: string; remove(): void } | undefined;
