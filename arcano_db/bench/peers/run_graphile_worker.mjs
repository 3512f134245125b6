// graphile-worker: its own worker until the queue is empty. A batch is its concurrency, or, from 100 on, its
// local queue of that size with completions in batches. It deletes the rows of finished jobs.
import { installed, report, waitForGo } from "./protocol.mjs";

const { Logger, makeWorkerUtils, run } = installed("graphile-worker");
const [, , command, number, schema] = process.argv;
const dsn = process.env.ARCANO_BENCH_DSN;
const batch = Number(number);
if (command === "fill") {
  const utils = await makeWorkerUtils({ connectionString: dsn, schema });
  await utils.migrate();
  await utils.withPgClient(async (client) => {
    await client.query(`delete from ${schema}._private_jobs`);
    await client.query(
      `select ${schema}.add_jobs(array(select row('noop', '{}'::json, null, null, null, null, null, null)` +
        `::${schema}.job_spec from generate_series(1, $1)))`,
      [batch],
    );
    await client.query(`vacuum analyze ${schema}._private_jobs`);
  });
  await utils.release();
} else {
  await waitForGo();
  const started = Date.now();
  let done = 0;
  let last = started;
  const runner = await run({
    preset: {
      worker: {
        connectionString: dsn,
        schema,
        concurrentJobs: batch < 100 ? batch : 24,
        maxPoolSize: batch < 100 ? batch + 9 : 30,
        ...(batch < 100 ? {} : { localQueue: { size: batch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
      },
    },
    logger: new Logger(() => () => {}),
    noHandleSignals: true,
    taskList: {
      noop() {
        done += 1;
        last = Date.now();
      },
    },
  });
  // It has no way to stop when there is nothing more to do.
  while (Date.now() - last < 1500) await new Promise((resolve) => setTimeout(resolve, 100));
  report(started, done, last);
  await runner.stop();
}
process.exit(0);
