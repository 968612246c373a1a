const docs = document.getElementById("docs");

SwaggerUIBundle({ url: docs.dataset.description, domNode: docs, deepLinking: true, tryItOutEnabled: true });
