// Counts visits in Redis, and says who came: the front tells in X-Forwarded-For.
const http = require("node:http");
const net = require("node:net");

const PORT = 3000;

/** One command of Redis, as RESP; a connection each is enough for an example. */
function redis(...words) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(6379, "data");
    const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("");
    let answer = "";
    socket.setTimeout(2000, () => socket.destroy(new Error("Redis does not answer")));
    socket.on("error", reject);
    socket.on("data", (bytes) => {
      answer += bytes;
      if (!answer.endsWith("\r\n")) return;
      socket.end();
      resolve(answer.slice(1).trim());
    });
    socket.write(`*${words.length}\r\n${text}`);
  });
}

http.createServer(async (request, response) => {
  const visitor = request.headers["x-forwarded-for"] ?? request.socket.remoteAddress;
  try {
    const visits = await redis("INCR", "visits");
    process.stdout.write(`visit ${visits} by ${visitor}\n`);
    response.end(`Visit ${visits}, from ${visitor}\n`);
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(PORT);

process.on("SIGTERM", () => process.exit(0));
