/**
 * Starts Python in this worker: Pyodide, numpy, the study's wheels, and the study itself.
 *
 * Everything comes from the page's own origin. All downloads start immediately; only unpacking waits for the
 * interpreter.
 */
import type { BundleInfo, RuntimeInfo } from '../protocol/messages';
import type { PythonHost } from './pythonHost';
import { type FileSystem, unpack } from './unpack';

/** A view of a Python object's memory; must be released. */
export interface PyBuffer<View> {
  data: View;
  release(): void;
}

/** A Python object that supports the buffer protocol, as Pyodide passes it to JavaScript. */
export interface PyProxyBuffer {
  getBuffer(type: 'f32'): PyBuffer<Float32Array>;
  getBuffer(type: 'u8'): PyBuffer<Uint8Array>;
}

/** The Python side of the worker (`coplay.browser.worker.Worker`). */
export interface PythonWorker {
  prepare(scene_index: number): void;
  start(config_json: string): void;
  /** @returns When to call again at the latest, in seconds of `performance.now()`. */
  tick(now_s: number, arrived: Arrival[]): number;
  eager(): boolean;
  keys(held: readonly string[]): void;
  peer_left(peer: number): void;
  peer_returned(peer: number, incarnation: number): void;
  watch(config_json: string): void;
  frames(first: number, data: Uint8Array): void;
  link(peer: number, kind: string): void;
  path(peer: number, figures_json: string): void;
  channel_state(peer: number, open: boolean): void;
  visibility(hidden: boolean): void;
  stop(): void;
}

/** A datagram as Python takes it: its sender, its bytes, and when it arrived (seconds of `performance.now()`). */
export type Arrival = [peer: number, data: Uint8Array, at_s: number];

interface Pyodide {
  runPython(code: string): unknown;
  pyimport(name: string): { create(host: PythonHost, module: string): PythonWorker };
  FS: FileSystem;
}

interface PyodideModule {
  loadPyodide(options: object): Promise<Pyodide>;
}

const STUDY_FOLDER = '/home/pyodide/study';

/** Compiled wheels are loaded by name, by Pyodide's own loader, because it knows the libraries that they need. */
const COMPILED = /^(?!numpy-).*_wasm32\.whl$/; // numpy needs none

/**
 * Start the interpreter and create the Python side of the worker.
 *
 * @param host The object whose methods Python calls.
 * @param progress Called with what is being loaded, and roughly how much is done (0 to 1).
 */
export async function bootPython(
  runtime: RuntimeInfo,
  bundle: BundleInfo,
  host: PythonHost,
  progress: (stage: string, fraction: number) => void,
): Promise<PythonWorker> {
  const base = new URL(runtime.base, self.location.origin).href;
  const compiled = runtime.packages.filter((name) => COMPILED.test(name)).map(packageName);
  const archives = runtime.packages.filter((name) => !COMPILED.test(name));
  progress('Fetching the game', 0.05);
  const study_zip = fetchBytes(new URL(bundle.url, self.location.origin).href);
  const pure = archives.map((name) => fetchBytes(base + name));
  // A rejected fetch is reported when it is awaited below; until then it must not count as an unhandled rejection.
  for (const pending of [study_zip, ...pure]) pending.catch(() => undefined);

  const { loadPyodide } = (await import(/* @vite-ignore */ `${base}pyodide.mjs`)) as PyodideModule;
  progress('Starting the engine', 0.2);
  const pyodide = await loadPyodide({
    indexURL: base,
    lockFileURL: `${base}pyodide-lock.json`,
    packages: compiled,
    // Sets of strings must iterate in the same order in all peers.
    env: { PYTHONHASHSEED: '0', HOME: '/home/pyodide' },
  });
  progress('Unpacking the game', 0.7);
  const site_packages = pyodide.runPython('import site; site.getsitepackages()[0]') as string;
  for (const bytes of pure) unpack(pyodide.FS, await bytes, site_packages);
  unpack(pyodide.FS, await study_zip, STUDY_FOLDER);
  pyodide.runPython(`import sys; sys.path.insert(0, ${JSON.stringify(STUDY_FOLDER)})`);
  progress('Setting up the game', 0.8);
  const worker = pyodide.pyimport('coplay.browser.worker').create(host, bundle.module);
  progress('Ready', 1);
  return worker;
}

function packageName(wheel: string): string {
  return (wheel.split('-')[0] ?? wheel).toLowerCase().replaceAll('_', '-');
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}
