// What the page does as a whole, whatever its panels show.
import { offerPage } from './embed.js';
import { offerGlossary } from './glossary.js';
import { offerPaper } from './paper.js';
import { fetchSoon } from './plotly.js';
import { offerPresent } from './present.js';
import { keepPrompt, watchServer } from './recover.js';
import { offerSheet } from './sheet.js';
import { watchTabs } from './tabs.js';
import { offerTour } from './tour.js';

keepPrompt();
watchServer();
watchTabs();
offerTour();
offerGlossary();
offerPresent();
offerSheet();
offerPage();
offerPaper();
fetchSoon();
