const { createServer } = require("node:http");
const ms = require("ms");

const server = createServer((_request, response) => {
  response.end(`a day has ${ms("1d")} milliseconds\n`);
});
server.listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
