// The same, and hears at once that it has ended: node listen.mjs USER_ID DATABASE_NAME
import { once } from "node:events";
import pg from "pg";

const [userId, databaseName] = process.argv.slice(2);
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
// LISTEN needs a session of its own, so not through a pooler that gives each transaction another.
const listening = new pg.Client(process.env.DIRECT_URL);
listening.on("error", console.error);
await listening.connect();
// Before asking, so that nothing is missed.
await listening.query("LISTEN notion_sync");

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
for (;;) {
  // A hint that something ended, of whatever user; without one, look again after a minute.
  const hint = once(listening, "notification", { signal: AbortSignal.timeout(60_000) }).catch(() => {});
  ended = await answer(outcome, request);
  if (["succeeded", "failed"].includes(ended.status)) break;
  await hint;
}
console.log(`${ended.status}: ${ended.message}`);
process.exitCode = ended.status === "failed" ? 1 : 0;
await Promise.all([client.end(), listening.end()]);
