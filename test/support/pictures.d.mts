/** The pictures of README.md: where each is kept, and what the notebook shows now. */
export function readmePictures(): { file: URL; png: Buffer }[];
