export function housePicture(): string;
export function picturedHouse(): string;
export const roomNames: string[];
