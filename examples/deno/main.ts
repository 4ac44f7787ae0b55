Deno.serve({ port: 8000 }, (request) => {
  const { pathname } = new URL(request.url);
  return Response.json({ path: pathname, deno: Deno.version.deno });
});
