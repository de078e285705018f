/** A configuration that was refused: every issue with its field, value and what is accepted. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
