// Bundles one line of the agent: node build.mjs LINE FROM OUT, LINE being the folder that npm filled.
import { createRequire } from 'node:module';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [line, from, out] = process.argv.slice(2).map((argument, i) => (i === 1 ? argument : resolve(argument)));
const source = fileURLToPath(new URL('.', import.meta.url));
const { build } = createRequire(join(line, 'package.json'))('esbuild');
const target = `node${from}`;

// Packages that few applications need and that cost half of the start: loaded when they are used.
const LAZY = /^@opentelemetry\/(exporter-(logs|metrics|trace)-otlp-(grpc|proto)|exporter-prometheus|exporter-zipkin|configuration|resource-detector-(alibaba-cloud|aws|azure|container|gcp)|propagator-aws-xray.*)$/;

const shape = {
  name: 'shape',
  setup({ onResolve, onLoad }) {
    // Exporters use the http of before.
    onResolve({ filter: /^(node:)?https?$/ }, ({ path, importer }) => {
      if (!/otlp-exporter-base/.test(importer)) return undefined;
      return { path: path.replace('node:', ''), namespace: 'original' };
    });
    onLoad({ filter: /.*/, namespace: 'original' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(join(source, 'transport.cjs'))}).${path};`, resolveDir: source,
    }));
    onResolve({ filter: LAZY }, ({ path, importer, namespace, resolveDir }) => {
      if (namespace === 'lazy' || LAZY.test(importer)) return undefined;
      return { path, namespace: 'lazy', pluginData: { resolveDir } };
    });
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path, pluginData }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => require(${JSON.stringify(path)})[name] });`, resolveDir: pluginData.resolveDir,
    }));
    // Wrappers of imported packages load this file by its address: the bundle must use the same one.
    onResolve({ filter: /^\.\/lib\/register$/ }, ({ importer }) => {
      if (!/import-in-the-middle/.test(importer)) return undefined;
      return { path: './lib/register.js', external: true };
    });
    onResolve({ filter: /^\.\/hook-sync\.cjs$/ }, () => ({ path: './hook-sync.cjs', external: true }));
  },
};

const common = {
  bundle: true, platform: 'node', target, absWorkingDir: source, nodePaths: [join(line, 'node_modules')],
  minifyWhitespace: true, minifySyntax: true, legalComments: 'none', logLevel: 'warning', metafile: true,
};
const hooks = dirname(createRequire(join(line, 'package.json')).resolve('import-in-the-middle'));

mkdirSync(join(out, 'lib'), { recursive: true });
mkdirSync(join(out, 'state'), { recursive: true });
const built = await Promise.all([
  build({
    ...common, entryPoints: ['agent.cjs'], outfile: join(out, 'agent.cjs'), plugins: [shape],
    inject: ['inject.mjs'], define: { 'process.env': 'odiEnv' },
  }),
  build({ ...common, entryPoints: [join(hooks, 'hook.mjs')], outfile: join(out, 'hook.mjs'), format: 'esm' }),
  build({
    ...common, entryPoints: [join(hooks, 'register-hooks.mjs')], outfile: join(out, 'hook-sync.cjs'), format: 'cjs',
    define: { 'import.meta': 'odiMeta' },
    banner: { js: "const odiMeta={url:require('node:url').pathToFileURL(__dirname+'/hook.mjs').href};" },
  }),
]);
cpSync(join(hooks, 'lib/register.js'), join(out, 'lib/register.js'));
cpSync(join(source, 'flush.cjs'), join(out, 'flush.cjs'));
writeFileSync(join(out, 'boot.cjs'), readFileSync(join(source, 'boot.cjs'), 'utf8').replace('@FROM@', from));
writeFileSync(join(out, 'package.json'), '{"private":true,"type":"commonjs"}\n');
for (const state of ['alive', 'failed', 'unsupported', 'own-sdk']) writeFileSync(join(out, 'state', state), `${state}\n`);
writeFileSync(join(out, 'LICENSES'), licenses(built));

// licenses gathers the texts that come with the packages of the bundles.
function licenses(results) {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(resolve(source, input));
      if (found && existsSync(found[1])) packages.add(found[1]);
    }
  }
  const texts = new Map();
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile() && /^(licen[cs]e|notice)/i.test(file.name));
    const text = files.map((file) => readFileSync(join(folder, file.name), 'utf8')).sort().join('\n');
    texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  return [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`${'-'.repeat(80)}\n`);
}
