/** The language process where it starts cold: TypeScript is loaded, and reads its libraries. With a snapshot (snapshot.ts) all that is done. */
import { loadCompiler } from "./compiler.js";
import { createLanguage } from "./language.js";
import { serve } from "./serve.js";

const [packageRoot, root] = process.argv.slice(2);
serve(createLanguage(packageRoot, root, loadCompiler(packageRoot)));
