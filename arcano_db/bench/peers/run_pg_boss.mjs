// pg-boss: fetch and complete by hand, which is the fastest that it documents.
import { installed, report, waitForGo } from "./protocol.mjs";

const PgBoss = installed("pg-boss");
const pg = installed("pg");
const [, , command, number, schema] = process.argv;
const dsn = process.env.ARCANO_BENCH_DSN;
const boss = new PgBoss({ connectionString: dsn, schema, schedule: false, supervise: false, max: 1 });
await boss.start();
await boss.createQueue("noop").catch(() => {});
if (command === "fill") {
  await boss.purgeQueue("noop");
  for (let begin = 0; begin < number; begin += 1000) {
    await boss.insert(Array.from({ length: Math.min(1000, number - begin) }, () => ({ name: "noop" })));
  }
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  await client.query(`vacuum analyze ${schema}.job`);
  await client.end();
} else {
  await waitForGo();
  const started = Date.now();
  let done = 0;
  for (;;) {
    const jobs = await boss.fetch("noop", { batchSize: Number(number) });
    if (jobs.length === 0) break;
    await boss.complete("noop", jobs.map((job) => job.id));
    done += jobs.length;
  }
  report(started, done);
}
await boss.stop({ graceful: false, wait: true, close: true });
process.exit(0);
