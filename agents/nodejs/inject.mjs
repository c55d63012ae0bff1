// Names that the bundle's code means by these words.
import env from './env.cjs';

export const odiEnv = env.values; // process.env
export { setTimeout, setInterval } from './timers.cjs';
