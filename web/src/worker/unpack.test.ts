import { strToU8, zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { unpack } from './unpack';

test('an archive, stored or deflated, becomes files in folders made once', () => {
  const archive = zipSync({
    'package/module.py': [strToU8('a = 1'), { level: 0 }],
    'package/deep/data.txt': [strToU8('x'.repeat(1000)), { level: 9 }],
    'package/other.py': strToU8(''),
  });
  const folders: string[] = [];
  const files = new Map<string, number>();
  unpack(
    {
      mkdirTree: (path) => folders.push(path),
      writeFile: (path, data) => files.set(path, data.length),
    },
    archive.buffer as ArrayBuffer,
    '/site',
  );
  expect(folders).toEqual(['/site/package', '/site/package/deep']);
  expect(Object.fromEntries(files)).toEqual({
    '/site/package/module.py': 5,
    '/site/package/deep/data.txt': 1000,
    '/site/package/other.py': 0,
  });
});
