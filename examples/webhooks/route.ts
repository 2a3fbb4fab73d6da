// Receives Notion's webhooks and passes them on to PostgreSQL: app/api/notion-webhook/route.ts in Next.js.
import { createHmac, timingSafeEqual } from "node:crypto";
import { DatabaseError, Pool } from "pg";

export const runtime = "nodejs";

const MOST_BYTES = 1_000_000;
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
pool.on("error", (error) => console.error(error.message)); // an idle connection that broke

export async function POST(request: Request): Promise<Response> {
  const body = await read(request);
  if (body === null) return new Response(null, { status: 413 });
  const token = process.env.NOTION_VERIFICATION_TOKEN;
  if (!token) return showToken(body);
  const signature = request.headers.get("x-notion-signature") ?? "";
  if (!isSigned(body, signature, token)) return new Response(null, { status: 401 });
  try {
    await pool.query("SELECT notion_sync.receive_webhook($1::jsonb)", [decode(body)]);
  } catch (error) {
    // No UTF-8, no JSON, or no object.
    const isMalformed = error instanceof TypeError || (error instanceof DatabaseError && error.code?.startsWith("22"));
    if (!isMalformed) throw error;
    return new Response(null, { status: 400 });
  }
  return new Response(null, { status: 200 });
}

/** The bytes as they came, which are what is signed; null where they are too many. */
async function read(request: Request): Promise<Buffer | null> {
  const reader = request.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    size += part.value.length;
    if (size > MOST_BYTES) return null;
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}

function isSigned(body: Buffer, signature: string, token: string): boolean {
  const wanted = Buffer.from("sha256=" + createHmac("sha256", token).update(body).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Until the token is known, nothing can be checked: Notion's first request, which has it, goes to the log. */
function showToken(body: Buffer): Response {
  try {
    const token: unknown = JSON.parse(decode(body)).verification_token;
    if (typeof token !== "string") return new Response(null, { status: 503 });
    console.log(`NOTION_VERIFICATION_TOKEN is ${JSON.stringify(token)}`);
    return new Response(null, { status: 200 });
  } catch {
    return new Response(null, { status: 503 });
  }
}

const decode = (body: Buffer): string => new TextDecoder("utf-8", { fatal: true }).decode(body);
