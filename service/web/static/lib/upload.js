// Sends a file and tells how far it is: fetch can't say that of what it sends.

import { bodyOf, headersFor, unreachable, url } from "./api.js";

// The parsed answer; `progress` hears of each part from 0 to 1. Throws Problem.
export function upload(path, query, content, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(path, query));
    for (const [name, value] of Object.entries(headersFor("POST", { "Content-Type": "application/octet-stream" })))
      request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      try {
        resolve(bodyOf(request.status, request.responseText));
      } catch (problem) {
        reject(problem);
      }
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(content);
  });
}
