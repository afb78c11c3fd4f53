import './nexus-app.ts';
import { applyTheme, storedTheme } from './common/theme.ts';

applyTheme(storedTheme());
