// Serves a route handler as Next.js does: POST is called with a Request, its error is a 500, other methods are a 405.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { POST } from "./route.js";

async function answer(incoming) {
  if (incoming.method !== "POST") return new Response(null, { status: 405 });
  const { method, headers } = incoming;
  const request = new Request("http://127.0.0.1/", { method, headers, body: Readable.toWeb(incoming), duplex: "half" });
  try {
    return await POST(request);
  } catch (error) {
    console.error(error);
    return new Response(null, { status: 500 });
  }
}

const server = createServer(async (incoming, outgoing) => {
  const response = await answer(incoming);
  outgoing.writeHead(response.status);
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});
server.listen(0, "127.0.0.1", () => console.log(`running on http://127.0.0.1:${server.address().port}`));
