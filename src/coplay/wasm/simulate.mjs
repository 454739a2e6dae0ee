// Starts the browsers' Python under Node and answers requests; requests and replies are lines of JSON.
// Usage: node simulate.mjs ORDER.json
// ORDER.json: {"runtime": folder, "packages": [archive names], "code": [paths of zip archives], "module": name}
// The load sequence is that of web/src/worker/bootPython.ts; requests go to the function `answer` of the module.
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const STUDY_FOLDER = '/home/pyodide/study';
const COMPILED = /^(?!numpy-).*_wasm32\.whl$/; // needs libraries that the distribution's own loader knows

const order = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** What a study prints must not look like a reply. */
const aside = (line) => process.stderr.write(`${line}\n`);

/** Unpack a zip archive; Pyodide wants an ArrayBuffer of its own. */
function unpack(pyodide, path, folder) {
  const bytes = readFileSync(path);
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  pyodide.unpackArchive(own, 'zip', { extractDir: folder });
}

async function boot() {
  const { loadPyodide } = await import(pathToFileURL(join(order.runtime, 'pyodide.mjs')).href);
  const compiled = order.packages.filter((name) => COMPILED.test(name));
  const pyodide = await loadPyodide({
    indexURL: order.runtime + sep,
    packages: compiled.map((name) => name.split('-')[0].toLowerCase().replaceAll('_', '-')),
    env: { PYTHONHASHSEED: '0', HOME: '/home/pyodide' },
    stdout: aside,
    stderr: aside,
  });
  const site_packages = pyodide.runPython('import site; site.getsitepackages()[0]');
  for (const name of order.packages) {
    if (!compiled.includes(name)) unpack(pyodide, join(order.runtime, name), site_packages);
  }
  for (const path of order.code) unpack(pyodide, path, STUDY_FOLDER);
  pyodide.runPython(`import sys; sys.path.insert(0, ${JSON.stringify(STUDY_FOLDER)})`);
  return pyodide.pyimport(order.module);
}

try {
  const module = await boot();
  process.stdout.write('{}\n');
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    process.stdout.write(`${module.answer(line)}\n`);
  }
} catch (error) {
  // Never the whole error: its stack quotes Pyodide's minified source, a megabyte of it.
  process.stderr.write(`${String(error.message ?? error).slice(-2000)}\n`);
  process.exit(1); // not the exit code alone: Node would wait for more requests
}
