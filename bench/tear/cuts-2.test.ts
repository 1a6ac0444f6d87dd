import { testCuts } from './testing/random-cuts.js';

testCuts(1);
