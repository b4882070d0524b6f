/** The docs page: swagger-ui from this host alone. No inline script, so the strict content security policy holds. */
import { static as serveStatic, Router } from 'express';
import { getAbsoluteFSPath } from 'swagger-ui-dist';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>STUN verifier service</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start = `window.SwaggerUIBundle({
  url: '/openapi.json',
  domNode: document.getElementById('ui'),
  deepLinking: true,
  validatorUrl: null,
  supportedSubmitMethods: [],
});
`;

/** The router of /docs. */
export function docsRouter(): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    response.type('html').send(page);
  });
  router.get('/start.js', (_request, response) => {
    response.type('text/javascript').send(start);
  });
  router.use('/assets', serveStatic(getAbsoluteFSPath(), { index: false, maxAge: '1h' }));
  return router;
}
