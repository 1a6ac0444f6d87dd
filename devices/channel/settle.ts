import { DeviceError } from '../errors.js';
import type { Atr } from '../iso7816/atr.js';
import type { Line } from '../iso7816/line.js';
import { exchangePps } from '../iso7816/pps.js';
import { DEFAULT_TA1, ratesOf } from '../iso7816/rates.js';
import { readAtr } from '../iso7816/reset.js';
import { BGT_ETU, initialT1State, T1Terminal, t1ConfigOf, t1LineLimits } from '../iso7816/t1.js';
import type { T1Config, T1State } from '../iso7816/t1.js';
import type { Ticks } from './port.js';
import { wait } from './steps.js';
import type { Steps } from './steps.js';
import type { Protocol } from './types.js';

/** How protocol and rates are settled after the ATR. */
export interface SettleOptions {
  /** Default `auto`: T=1 when the card offers it, else T=0. */
  readonly protocol?: Protocol | 'auto';
  /** Default `auto`: PPS only where protocol or rates differ from the card's defaults. */
  readonly pps?: 'auto' | 'always' | 'never';
  /** `offered` (default): the rates of TA1; `default`: F = 372, D = 1; a number: that PPS1 byte. */
  readonly rates?: 'offered' | 'default' | number;
  /** Block size the terminal announces under T=1 with S(IFS), in bytes; default 254; 32 = not announced. */
  readonly ifsd?: number;
  /** Overrides of T=1 parameters, for tests. */
  readonly t1?: Partial<T1Config>;
}

/** What has been settled. */
export interface Settled {
  readonly atr: Atr;
  readonly protocol: Protocol;
  readonly F: number;
  readonly D: number;
  readonly t1: T1State | undefined;
}

function chooseProtocol(atr: Atr, wanted: Protocol | 'auto'): number {
  if (wanted === 'auto' && atr.specificMode) return atr.specificMode.protocol;
  const t = wanted === 'auto' ? (atr.protocols.includes(1) ? 1 : atr.defaultProtocol) : wanted === 'T=1' ? 1 : 0;
  const permitted = atr.specificMode ? [atr.specificMode.protocol] : atr.protocols;
  if (permitted.includes(t) && t <= 1) return t;
  throw new DeviceError('DEVICE_UNSUPPORTED', {
    what: `protocol ${wanted} is not offered; the card offers ${permitted.map((p) => `T=${p}`).join(', ')}`,
  });
}

function choosePps1(atr: Atr, rates: 'offered' | 'default' | number): number {
  if (typeof rates === 'number') return rates;
  return rates === 'default' ? DEFAULT_TA1 : (atr.ta[0] ?? DEFAULT_TA1);
}

function* settleRates(line: Line, atr: Atr, t: number, options: SettleOptions): Steps<{ F: number; D: number }> {
  if (atr.specificMode) {
    if (!atr.rates || atr.specificMode.implicitRates) {
      throw new DeviceError('DEVICE_UNSUPPORTED', { what: 'the card is in specific mode with rates not named in its ATR' });
    }
    return atr.rates;
  }
  const pps1 = choosePps1(atr, options.rates ?? 'offered');
  const needed = t !== atr.defaultProtocol || pps1 !== DEFAULT_TA1;
  const pps = options.pps ?? 'auto';
  if (pps === 'always' || (pps === 'auto' && needed)) {
    if (!ratesOf(pps1)) throw new DeviceError('DEVICE_UNSUPPORTED', { what: `PPS1 ${pps1.toString(16)} is reserved` });
    return yield* exchangePps(line, t, pps1);
  }
  return { F: 372, D: 1 };
}

function* startT1(line: Line, atr: Atr, F: number, D: number, options: SettleOptions): Steps<T1State> {
  const config = { ...t1ConfigOf(atr, F, D), ...options.t1 };
  const ifsd = options.ifsd ?? 254;
  if (ifsd === 32) return initialT1State(config);
  line.limits = t1LineLimits(atr);
  const terminal = new T1Terminal(line, config);
  yield* terminal.negotiateIfsd(ifsd);
  return terminal.state;
}

/** Reads the ATR and settles protocol, rates and, under T=1, IFSD. @throws DeviceError as the parts do */
export function* settle(line: Line, riseAt: Ticks, options: SettleOptions): Steps<Settled> {
  const atr = yield* readAtr(line, riseAt);
  const t = chooseProtocol(atr, options.protocol ?? 'auto');
  const { F, D } = yield* settleRates(line, atr, t, options);
  line.hold(BGT_ETU);
  yield* wait(line.port.configure({ F, D, errorSignal: t === 0 && line.port.features.errorSignal }));
  const protocol = t === 1 ? 'T=1' : 'T=0';
  const t1 = t === 1 ? yield* startT1(line, atr, F, D, options) : undefined;
  return { atr, protocol, F, D, t1 };
}
