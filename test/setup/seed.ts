/**
 * One seed for all that tests draw at random, fast-check's properties included: the same commit gives the same result.
 *
 *   RIBSCOPE_TEST_SEED=7 npm test         other values
 *   RIBSCOPE_TEST_SEED=random npm test    others each time; tests that fail print the seed
 */
import fc from 'fast-check'

const asked = process.env['RIBSCOPE_TEST_SEED'] ?? '1'
export const SEED = asked === 'random' ? Date.now() % 2 ** 31 : Number(asked)
if (!Number.isInteger(SEED)) throw new Error(`RIBSCOPE_TEST_SEED="${asked}" is not an integer`)

fc.configureGlobal({ seed: SEED })
