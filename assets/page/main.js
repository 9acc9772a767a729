// What the page does as a whole, whatever its panels show.
import { keepPrompt, watchServer } from './recover.js';
import { watchTabs } from './tabs.js';
import { offerTour } from './tour.js';

keepPrompt();
watchServer();
watchTabs();
offerTour();
