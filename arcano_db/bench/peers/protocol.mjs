// As protocol.py.
import { once } from "node:events";
import { createRequire } from "node:module";

// A package of the folder in which this was started.
export const installed = createRequire(`${process.cwd()}/`);

export async function waitForGo() {
  console.log("ready");
  await once(process.stdin, "data");
}

export function report(started, jobs, ended = Date.now()) {
  console.log(JSON.stringify({ started: started / 1000, ended: ended / 1000, jobs }));
}
