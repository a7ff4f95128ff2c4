"use strict";

SwaggerUIBundle({
  dom_id: "#page",
  url: "openapi.json",
  deepLinking: true,
  displayRequestDuration: true,
  // Or else the document would be shown to a validator elsewhere.
  validatorUrl: null,
});
