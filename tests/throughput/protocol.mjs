// As protocol.py.
import { once } from "node:events";

export async function waitForGo() {
  console.log("ready");
  await once(process.stdin, "data");
}

export function report(started, jobs, ended = Date.now()) {
  console.log(JSON.stringify({ started: started / 1000, ended: ended / 1000, jobs }));
}
