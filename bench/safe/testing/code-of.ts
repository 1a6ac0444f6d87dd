import { SafeError } from '../errors.js';

/** The code with which a safe refuses, `done` when it does not. */
export const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'done';
  } catch (error) {
    if (error instanceof SafeError) return error.code;
    throw error;
  }
};
