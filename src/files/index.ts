/**
 * Files of the disk, as everything above writes and reads them: whole, bounded, and inside the folder that was meant.
 *
 * `writeWhole` is the only writer of whole files: after a failure, a crash or a kill there is the old file or the new one, with the old one's
 * mode and behind the same symbolic link; `openWhole` is the same bit by bit, `checkWritable` finds out before the work, `makeFolder` makes folders. `readBounded` reads no more than a limit, also where a gzip unpacks to more; `readSmall` waits for no pipe and reads no device. `parseJson` takes no names that reach an object's prototype and no nesting that
 * ends the stack. `realPlace` says where a path really leads, so that neither `..` nor a symbolic link leaves a folder. Sizes are in bytes.
 */
export { StoreError, systemFailure, writeFailure } from "./failure.js";
export { makeFolder } from "./folder.js";
export { realPlace, sameFile } from "./inside.js";
export { JsonError, type JsonLimits, parseJson } from "./json.js";
export { largestText, ReadError, readBounded, readRegular, readSmall } from "./read.js";
export { checkFolder, checkWritable, openWhole, type WholeFile, writeWhole } from "./write.js";
