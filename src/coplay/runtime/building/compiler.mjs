// Runs archives.py in the browser's own Python. Usage: node compiler.mjs JOBS.json
// JOBS.json: {"pyodide": folder, "program": path of archives.py, "jobs": [{inputs, output, sources, prefix}]}
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { pyodide: folder, program, jobs } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);
try {
  const pyodide = await loadPyodide({ indexURL: folder, env: { PYTHONHASHSEED: '0', HOME: '/home/pyodide' } });
  pyodide.runPython(readFileSync(program, 'utf8'));
  const merge = pyodide.globals.get('merge');
  for (const job of jobs) {
    const inputs = job.inputs.map((path, index) => {
      pyodide.FS.writeFile(`/tmp/input${index}`, readFileSync(path));
      return `/tmp/input${index}`;
    });
    const list = pyodide.toPy(inputs);
    merge(list, '/tmp/output', true, job.sources, job.prefix);
    list.destroy();
    writeFileSync(job.output, pyodide.FS.readFile('/tmp/output'));
  }
} catch (error) {
  // Never the whole error: its stack quotes a megabyte of Pyodide's minified source.
  process.stderr.write(`${String(error.message ?? error).slice(-2000)}\n`);
  process.exitCode = 1;
}
