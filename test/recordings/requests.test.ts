import { expect, test } from "vitest";
import { formatReplay, parseTrace, replay } from "../../src/iova/index.js";
import {
  busiestDevice,
  loadTrace,
  Op,
  poolEntries,
  poolRoom,
  readdress,
  requestsOf,
} from "../../src/recordings/index.js";

test.each([
  "igb",
  "vmxnet3",
])("a recording's requests in the fixtures' format get the addresses that readdress gives them (%s)", (name) => {
  const trace = loadTrace(name);
  const device = busiestDevice(trace);
  const { pfns } = replay(parseTrace(requestsOf(trace, device)), "rbtree");
  const { iovaPfn, op } = readdress(trace, "rbtree");
  const expected = [...op.keys()].filter((i) => trace.device[i] === device && op[i] === Op.map).map((i) => iovaPfn[i]);
  expect([...pfns]).toEqual(expected);
});

test("the merged tree and the magazines answer them too, and no range is handed out twice", () => {
  const requests = parseTrace(requestsOf(loadTrace("vmxnet3"), 0));
  const plain = replay(requests, "rbtree");
  expect(replay(requests, "rbtree-merged").pfns).toEqual(plain.pfns);
  expect(formatReplay(replay(requests, "magazines"))).toMatch(/^id,pages,pfn,visits,hit\n0,/);
});

test("a device that the recording does not have is refused, with those that it has", () => {
  expect(() => requestsOf(loadTrace("igb"), 7)).toThrow(/no device 7; the devices are 0 to 1/);
});

test("in the range of the pools' room no map of the recorded drivers fails, and a larger table flushes less", () => {
  const trace = loadTrace("vmxnet3");
  const [low, assumed, high] = [poolRoom.low, poolRoom.value, poolRoom.high].map((room) => {
    const requests = parseTrace(requestsOf(trace, 1));
    requests.config.entries = poolEntries(trace, 1, room);
    return replay(requests, "pools").statistics;
  });
  expect([low.failures, assumed.failures, high.failures]).toEqual([0, 0, 0]);
  expect(low.flushes).toBeGreaterThan(assumed.flushes);
  expect(assumed.flushes).toBeGreaterThan(high.flushes);
});
