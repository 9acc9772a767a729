// A link that opens the page on this text with these settings: copied where the browser lets, shown in any case.
import { sentence } from './sentences.js';

const copy = async (address) => {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    return false;
  }
};

// The status line with the link, as HTML; the arguments are the values of the page's controls.
export const linkLine = async (text, temperature, top_k, top_p, seed, new_tokens, lang) => {
  const asked = new URLSearchParams({ text, temperature, top_k, top_p, seed, new_tokens, lang });
  const tab = new URLSearchParams(location.search).get('tab');
  if (tab) asked.set('tab', tab);
  const address = `${location.origin}${location.pathname}?${asked}`;
  const [copied, toCopy] = sentence('link', lang);
  const line = document.createElement('p');
  line.className = 'gs-status';
  line.setAttribute('role', 'status');
  const link = Object.assign(document.createElement('a'), {
    href: address,
    textContent: address,
    className: 'gs-link',
  });
  line.append(`${(await copy(address)) ? copied : toCopy} `, link);
  return line.outerHTML;
};
