// Calls functions of schema arcano for a test: reads a JSON line for each call, writes its rows as one.
import pg from "pg";
import readline from "node:readline";

const client = new pg.Client(JSON.parse(process.argv[2]));
await client.connect();

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { name, args } = JSON.parse(line);
  const named = Object.keys(args).map((key, i) => `${key} => $${i + 1}`);
  try {
    // With a name, node-postgres prepares the statement once on the server.
    const { rows } = await client.query({
      name: `${name}(${named})`,
      text: `select * from arcano.${name}(${named})`,
      values: Object.values(args),
    });
    console.log(JSON.stringify({ rows }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.code }));
  }
}
await client.end();
