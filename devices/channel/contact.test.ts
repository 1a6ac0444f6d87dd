import { expect, test } from 'vitest';
import { FakeCard } from '../iso7816/testing/fake-card.js';
import { ContactChannel } from './contact.js';
test.each(['T=0','T=1'] as const)('smoke %s', async (protocol) => {
  const card = new FakeCard();
  const ch = new ContactChannel(card, { protocol });
  const lines: string[] = [];
  ch.observe({ apdu: (e) => lines.push(e.line), block: (b) => lines.push(`   ${b.direction} ${b.kind} ${b.text}`), finding: (f)=>lines.push(JSON.stringify(f)) });
  await ch.open();
  const r = await ch.transmit(Uint8Array.from([0x80,0xf2,0,20,20]));
  const e = await ch.transmit({cla:0x80,ins:0xf0,p1:0,p2:0,data:new Uint8Array(600).map((_,i)=>i),le:256});
  console.log(lines.join('\n'), card.complaints);
  expect(r.data.length).toBe(20);
  expect(e.data).toEqual(new Uint8Array(600).map((_,i)=>i));
});
