// Stands for your own service. A route that lost its authorizer is then an alarm, no leak.
exports.handler = async (event) => {
  if ((event.rawPath ?? event.path) === "/health") return { statusCode: 200 };
  const caller = event.requestContext.authorizer?.lambda ?? event.requestContext.authorizer;
  return caller?.principal ? { statusCode: 200, body: "[]" } : { statusCode: 500 };
};
