// A link that opens the page on this text with these settings: copied where the browser lets, shown in any case.
window.gsLink = async (text, temperature, top_k, top_p, seed, new_tokens, lang) => {
  const asked = new URLSearchParams({ text, temperature, top_k, top_p, seed, new_tokens, lang });
  const address = `${location.origin}${location.pathname}?${asked}`;
  const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
  const line = document.createElement('p');
  line.className = 'gs-status';
  line.setAttribute('role', 'status');
  const link = Object.assign(document.createElement('a'), { href: address, textContent: address, className: 'gs-link' });
  const said = GS_LINK[lang] ?? GS_LINK.en;
  line.append(`${copied ? said[0] : said[1]} `, link);
  return line.outerHTML;
};
