/** Content by media type. JSON types carry plain data, all others a string. */
export type MimeBundle = Record<string, unknown>;
