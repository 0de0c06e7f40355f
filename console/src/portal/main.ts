import { mount } from 'svelte';
import Portal from './Portal.svelte';
import '../styles/tokens.css';
import './portal.css';

const target = document.getElementById('portal');
if (target) mount(Portal, { target });
