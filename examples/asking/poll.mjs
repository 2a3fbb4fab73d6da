// Asks for a sync of one database of a user, and waits until it has ended: node poll.mjs USER_ID DATABASE_NAME
import { setTimeout } from "node:timers/promises";
import pg from "pg";

const [userId, databaseName] = process.argv.slice(2);
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();

// What is set is set for one transaction: this works through any pooler.
async function answer(statement, ...parameters) {
  await client.query("BEGIN");
  try {
    await client.query("SELECT set_config('app.user_id', $1, true)", [userId]);
    return (await client.query(statement, parameters)).rows[0];
  } finally {
    await client.query("COMMIT");
  }
}

const ask = "SELECT notion_sync.sync_notion_database($1, NULL, $2) AS request";
const { request } = await answer(ask, userId, databaseName);
const outcome = "SELECT status, message FROM notion_sync.sync_requests WHERE request_id = $1";
let ended;
while (!["succeeded", "failed"].includes((ended = await answer(outcome, request)).status)) {
  await setTimeout(5_000);
}
console.log(`${ended.status}: ${ended.message}`);
process.exitCode = ended.status === "failed" ? 1 : 0;
await client.end();
