// What package-lock.json says, and whether node_modules is what it says. Lockfile version 3.

/** Words of a platform package's name that say what it runs on, as npm's `os`, `cpu` and `libc` fields spell them. */
const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
const CPU_SPELLINGS = { armv7: 'arm', x86: 'ia32' };
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

/** Optional dependencies that some package names and the lockfile lacks, with the entry that each should have. */
export function missingOptional(lock) {
  const found = [];
  for (const [key, parent] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      if (resolves(lock, key, name)) continue;
      const entry = platformEntry(name, range, parent.dev === true);
      found.push({ key: `node_modules/${name}`, entry });
    }
  }
  return found;
}

/** Node's lookup: the package's own node_modules, then those of the folders above it. */
function resolves(lock, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

function platformEntry(name, range, isDev) {
  const version = /^[~^]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1];
  const words = name.split(/[/-]/).map((word) => CPU_SPELLINGS[word] ?? word);
  const os = words.filter((word) => OS.includes(word));
  const cpu = words.filter((word) => CPU.includes(word));
  if (version === undefined || os.length !== 1 || cpu.length !== 1) {
    throw new Error(`'${name}' (${range}) does not say which platform it is for: add it to package-lock.json by hand`);
  }
  const libc = words.filter((word) => Object.hasOwn(LIBC, word)).map((word) => LIBC[word]);
  return {
    version,
    cpu,
    ...(isDev ? { dev: true } : {}),
    ...(libc.length > 0 && os[0] === 'linux' ? { libc } : {}),
    optional: true,
    os,
  };
}

/**
 * Names the first package that node_modules lacks or has in another version, or null where it holds what the lockfile
 * says. `installed` is npm's own record of what it installed (node_modules/.package-lock.json), null if there is none.
 */
export function firstDifference(lock, installed, platform) {
  if (installed === null) return 'node_modules';
  for (const [key, wanted] of Object.entries(lock.packages)) {
    if (key === '' || !isFor(wanted, platform)) continue;
    if (installed.packages[key]?.version !== wanted.version) return key.slice('node_modules/'.length);
  }
  return null;
}

/** Whether this machine must have the package. Which C library it has is npm's business: such packages are not checked. */
function isFor(entry, { os, cpu }) {
  if (entry.optional !== true) return true;
  if (entry.os === undefined || entry.cpu === undefined || entry.libc !== undefined) return false;
  return entry.os.includes(os) && entry.cpu.includes(cpu);
}
