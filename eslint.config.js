// @ts-check
import tseslint from 'typescript-eslint'

// Layers, top to bottom. A package imports only from layers below its own; services import packages,
// and only `standalone` imports services.
const LAYERS = [['simulator', 'detectors'], ['store', 'fabric', 'events', 'bus'], ['wire']]
const SERVICES = ['collector', 'writer', 'analyst', 'api', 'standalone']

/** @param {string[]} names @param {string} message */
const noPackages = (names, message) => ({
  group: names.flatMap((name) => [`@ribscope/${name}`, `@ribscope/${name}/*`]),
  message,
})

const noKafka = { group: ['kafkajs', 'kafkajs/*'], message: 'Only packages/bus talks to Kafka.' }
const noReachingIn = {
  group: [
    '**/packages/*/src/**',
    '**/services/*/src/**',
    '@ribscope/*/src/**',
    '@ribscope/*/dist/**',
  ],
  message: 'Import the package by its name; what it exports is its API.',
}

/** @param {string[]} files @param {object[]} patterns */
const restrict = (files, patterns) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [noReachingIn, ...patterns] }] },
})

const layering = LAYERS.flatMap((layer, depth) =>
  layer.map((name) => {
    const notBelow = LAYERS.slice(0, depth + 1)
      .flat()
      .filter((other) => other !== name)
    return restrict(
      [`packages/${name}/src/**/*.ts`],
      [
        noPackages(SERVICES, 'Packages know nothing of services.'),
        noPackages(notBelow, 'Dependencies point down only (docs/architecture.md).'),
        ...(name === 'bus' ? [] : [noKafka]),
        ...(name === 'wire'
          ? [{ regex: '^[^.]', message: 'wire is pure: no dependency, no node: module.' }]
          : []),
        ...(name === 'events'
          ? [
              {
                regex: '^(?!\\.|node:|@ribscope/wire$)',
                message: 'events imports wire and node: only.',
              },
            ]
          : []),
      ],
    )
  }),
)

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      'coverage/',
      'ribscope-data/',
      'test/fixtures/',
      '.cache/',
    ],
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./test/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-constant-binary-expression': 'error',
      'no-promise-executor-return': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // Numbers and booleans print as one expects; objects and undefined are what this is for.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // `return problem(...)`, where problem() returns undefined, says more than two statements.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // An interface may ask for a promise where one implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-deprecated': 'error',
    },
  },
  {
    // Byte-level code: an index that was checked against the bounds once is not checked again, and
    // `bytes[i]!` is how noUncheckedIndexedAccess lets one say so.
    files: [
      'packages/wire/src/**/*.ts',
      'packages/events/src/**/*.ts',
      'packages/simulator/src/encode/**/*.ts',
      'packages/bus/src/kafka/crc32c.ts',
    ],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Bit flags: `flags & 0x80 && ...` reads as the RFC does.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  ...layering,
  restrict(
    SERVICES.filter((name) => name !== 'standalone').map((name) => `services/${name}/src/**/*.ts`),
    [noPackages(SERVICES, 'Only standalone puts services together.'), noKafka],
  ),
  restrict(['services/standalone/src/**/*.ts'], [noKafka]),
  {
    // What a package needs of its surroundings is handed to it.
    files: ['packages/*/src/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Services read the environment.' },
        { object: 'process', property: 'exit', message: 'Only main() ends the process.' },
      ],
    },
  },
  {
    // Tests look at parsed JSON and assert on it at once: typing it first would say it twice.
    files: ['**/*.test.ts', '**/src/testing/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-restricted-imports': 'off',
      'no-restricted-properties': 'off',
      'no-promise-executor-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
